INSERT INTO artifact (id,data,description,flow_run_id,type) WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM g WHERE n<1300) SELECT n,'{}','d'||n,n*10,'table' FROM g;
INSERT INTO artifact_collection (id,"key",latest_id) WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM g WHERE n<1300) SELECT n,'k'||n,CASE WHEN n=7 THEN NULL ELSE 1301-n END FROM g;
