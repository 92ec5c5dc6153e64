CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY);
CREATE TABLE metrics ("key" VARCHAR(250), value DOUBLE PRECISION NOT NULL, timestamp BIGINT, run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT 0 NOT NULL, is_nan BOOLEAN DEFAULT false NOT NULL, PRIMARY KEY ("key",timestamp,step,run_uuid,value,is_nan));
-- expand step (what the schema revision before the data step would do)
CREATE TABLE latest_metrics ("key" VARCHAR(250) NOT NULL, value DOUBLE PRECISION NOT NULL, timestamp BIGINT, step BIGINT NOT NULL, is_nan BOOLEAN NOT NULL, run_uuid VARCHAR(32) NOT NULL, PRIMARY KEY ("key",run_uuid));
