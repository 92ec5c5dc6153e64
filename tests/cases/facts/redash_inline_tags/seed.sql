INSERT INTO dashboards (id,name,tags) VALUES (1,'Sales: weekly #kpi #north-east',NULL),(2,'plain',NULL),(3,'#one',NULL),(4,'a b: c: d #x_y',NULL),(5,'no tag # here','["keep"]');
