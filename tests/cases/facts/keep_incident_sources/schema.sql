CREATE TABLE incident (id CHAR(36) PRIMARY KEY, name TEXT);
CREATE TABLE alert (id CHAR(36) PRIMARY KEY, provider_type VARCHAR(255), event JSON);
CREATE TABLE alerttoincident (alert_id CHAR(36) NOT NULL, incident_id CHAR(36) NOT NULL, PRIMARY KEY (alert_id,incident_id));
-- expand step (what the schema revision before the data step would do)
ALTER TABLE incident ADD COLUMN affected_services JSON;
ALTER TABLE incident ADD COLUMN sources JSON;
ALTER TABLE incident ADD COLUMN alerts_count INTEGER NOT NULL DEFAULT 0;
