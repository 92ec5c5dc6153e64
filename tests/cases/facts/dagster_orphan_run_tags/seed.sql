INSERT INTO runs (id,run_id) VALUES (1,'r1'),(2,'r2');
INSERT INTO run_tags (id,run_id,"key",value) VALUES (1,'r1','a','b'),(2,'gone','a','b'),(3,'r2','c','d'),(4,NULL,'e','f'),(5,'gone2','x','y');
