-- Which programs can use the file. Programs of before this version refuse every newer one.
CREATE TABLE compatibility (
	id            INTEGER PRIMARY KEY CHECK (id = 1),
	oldest_reader INTEGER NOT NULL -- a program must know the schema of this version, or of a later one
) STRICT;
INSERT INTO compatibility (id, oldest_reader) VALUES (1, 4);
