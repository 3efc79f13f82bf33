-- What a ledger of version 1 holds, after its schema (schema/1.sql). Later
-- versions must read it as it was meant. Never change it.
INSERT INTO meta (id, api_url, salt, token) VALUES (1, 'https://api.example.com', x'000102030405060708090a0b0c0d0e0f', 41);
INSERT INTO invite (id, invite_id, address, recipient, grouped, uid, first_message_id, ends_at, latest, last_sent)
VALUES (1, 'board-meeting', 'anna@example.com', 'Anna@example.com', 1, 'uid-1', 'first@example.com', 1808994600000000, 2, 1);
INSERT INTO revision (id, invite, number, kind, method, fingerprint, resend, uid, sequence, dtstamp,
	organizer_name, organizer_email, organizer_default, state, permanent, unusable, stage, code, detail,
	message_id, from_name, from_email, reply, attempts, at, created_at, submitted_at, may_have_left)
VALUES
	(1, 1, 1, 'invitation', 'request', 'v1:1', 0, 'uid-1', 0, 1806571800000000,
		'Olga Organizer', 'olga@example.com', 1, 'unknown', 0, 0, 'submit', 'unknown', 'no answer',
		'first@example.com', 'Olga Organizer', 'olga@example.com', '', 1, 1806571803000000, 1806571801000000, 1806571802000000, 1),
	(2, 1, 2, 'update', 'request', 'v1:2', 0, 'uid-1', 1, 1806658200000000,
		'Olga Organizer', 'olga@example.com', 0, 'failed', 1, 1, 'submit', 'refused', 'no such user',
		'second@example.com', '', 'rooms@example.com', '550 no', 2, 1806658203000000, 1806658201000000, 1806658203000000, 0);
INSERT INTO calendar (revision, bytes) VALUES (1, x'6f6e65'), (2, x'74776f');
INSERT INTO message (revision, reverse_path, forward_path, smtputf8, bytes)
VALUES (1, 'bounces@example.com', 'Anna@example.com', 1, x'6d61696c');
INSERT INTO claim (invite_id, address, token, owner, expires) VALUES ('board-meeting', 'anna@example.com', 41, 'somebody', 1806658223000000);
INSERT INTO tombstone (hash) VALUES (x'00');
