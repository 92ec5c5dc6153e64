INSERT INTO work_queue (id,name) VALUES (1,'gpu');
INSERT INTO flow_run (id,work_queue_name) WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM g WHERE n<600) SELECT n,CASE WHEN n%10=0 THEN 'unknown' WHEN n%10=1 THEN NULL ELSE 'gpu' END FROM g;
INSERT INTO deployment (id,work_queue_name) VALUES (1,'gpu'),(2,'default'),(3,NULL);
