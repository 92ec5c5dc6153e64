INSERT INTO organization (id,pubid,name,authority) VALUES (1,'__default__','Hypothesis','hypothes.is'),(2,'abc','lms.org','lms.org');
INSERT INTO "group" (id,authority,organization_id) VALUES (1,'hypothes.is',NULL),(2,'elife',NULL),(3,'elife',NULL),(4,'lms.org',NULL),(5,'x.org',2),(6,'new.org',NULL);
