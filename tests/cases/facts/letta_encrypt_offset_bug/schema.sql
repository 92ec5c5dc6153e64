CREATE TABLE mcp_oauth (id VARCHAR(255) PRIMARY KEY, access_token TEXT, access_token_enc TEXT, refresh_token TEXT, refresh_token_enc TEXT, client_secret TEXT, client_secret_enc TEXT);
CREATE TABLE mcp_server (id VARCHAR(255) PRIMARY KEY, token VARCHAR(255), token_enc TEXT, custom_headers JSON, custom_headers_enc TEXT);
