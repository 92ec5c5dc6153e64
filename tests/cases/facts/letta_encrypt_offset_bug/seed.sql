INSERT INTO mcp_oauth (id,access_token) WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n+1 FROM g WHERE n<2500) SELECT 'o'||substr(''||(100000+n),2),'t'||n FROM g;
UPDATE mcp_oauth SET access_token_enc='already' WHERE id='o00010';
INSERT INTO mcp_server (id,token) VALUES ('s1','abc'),('s2',NULL);
