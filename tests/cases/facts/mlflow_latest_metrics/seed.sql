INSERT INTO runs (run_uuid) VALUES ('r1'),('r2'),('r3');
INSERT INTO metrics ("key",value,timestamp,run_uuid,step,is_nan) VALUES ('acc',0.1,10,'r1',0,false),('acc',0.5,20,'r1',1,false),('acc',0.4,30,'r1',1,false),('acc',0.9,5,'r1',0,false),('loss',3,1,'r1',0,false),('loss',4,1,'r1',0,false),('acc',0.7,1,'r2',-5,false),('nanm',0,1,'r2',3,true);
