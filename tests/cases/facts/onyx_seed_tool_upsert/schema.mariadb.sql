CREATE TABLE tool (id INTEGER AUTO_INCREMENT PRIMARY KEY, name VARCHAR(255), display_name VARCHAR(255), description TEXT, in_code_tool_id VARCHAR(255), enabled BOOLEAN);
