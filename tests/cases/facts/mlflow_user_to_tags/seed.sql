INSERT INTO runs (run_uuid,user_id,experiment_id) VALUES ('a1','ann',1),('a2','bob',1),('a3','cid',1),('b1',NULL,2),('b2','dan',2),('c1','eve',3),('c2','',4),('d1','fay',5);
INSERT INTO tags ("key",value,run_uuid) VALUES ('mlflow.user','other','c1'),('x','y','a1');
