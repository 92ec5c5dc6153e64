CREATE TABLE rses (id CHAR(36) PRIMARY KEY, rse VARCHAR(255), availability INTEGER);
-- expand step (what the schema revision before the data step would do)
ALTER TABLE rses ADD COLUMN availability_read BOOLEAN DEFAULT true;
ALTER TABLE rses ADD COLUMN availability_write BOOLEAN DEFAULT true;
ALTER TABLE rses ADD COLUMN availability_delete BOOLEAN DEFAULT true;
