CREATE TABLE letter_rates (id CHAR(36) PRIMARY KEY, start_date DATETIME, end_date DATETIME, sheet_count INTEGER, rate NUMERIC(10,2), crown BOOLEAN, post_class VARCHAR(255));
