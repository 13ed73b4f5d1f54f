-- What the statements of peer_postgres.c work on. The rows of the items follow on standard input.
CREATE TABLE item (upc bigint PRIMARY KEY, units bigint NOT NULL CHECK (units >= 0))
    WITH (fillfactor = 50);
CREATE TABLE session (
    id bigint PRIMARY KEY,
    token bytea NOT NULL,
    last_order bigint NOT NULL DEFAULT 0,
    body bigint NOT NULL DEFAULT 0,
    status bigint NOT NULL DEFAULT 0,
    units bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
COPY item FROM STDIN WITH (FORMAT csv);
