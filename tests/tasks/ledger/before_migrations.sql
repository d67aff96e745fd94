-- Made by the code of 4bc5e4f, the last one without migrations.
BEGIN TRANSACTION;
CREATE TABLE attachments (
	application VARCHAR NOT NULL, 
	sequence INTEGER NOT NULL, 
	name VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	PRIMARY KEY (application, sequence, name), 
	FOREIGN KEY(application, version) REFERENCES versions (application, version)
);
INSERT INTO "attachments" VALUES('recommendation',1,'card.md','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff');
INSERT INTO "attachments" VALUES('recommendation',2,'card.md','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee');
CREATE TABLE attempts (
	attempt VARCHAR NOT NULL, 
	application VARCHAR NOT NULL, 
	day DATE NOT NULL, 
	fencing INTEGER NOT NULL, 
	started DATETIME NOT NULL, 
	ended DATETIME, 
	outcome VARCHAR, 
	seconds JSON, 
	PRIMARY KEY (attempt)
);
CREATE TABLE champions (
	application VARCHAR NOT NULL, 
	sequence INTEGER NOT NULL, 
	version VARCHAR NOT NULL, 
	day DATE NOT NULL, 
	action VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (application, sequence), 
	FOREIGN KEY(application, version) REFERENCES versions (application, version)
);
INSERT INTO "champions" VALUES('recommendation',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2017-10-02','first','better','the gate','2026-11-29 16:34:10.402412');
INSERT INTO "champions" VALUES('recommendation',2,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2017-10-03','promote','better','the gate','2026-11-29 16:34:10.430684');
CREATE TABLE days (
	application VARCHAR NOT NULL, 
	sequence INTEGER NOT NULL, 
	day DATE NOT NULL, 
	digest VARCHAR NOT NULL, 
	outcome VARCHAR NOT NULL, 
	version VARCHAR, 
	action VARCHAR, 
	reason VARCHAR NOT NULL, 
	rows INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (application, sequence, day), 
	FOREIGN KEY(application, version) REFERENCES versions (application, version)
);
INSERT INTO "days" VALUES('recommendation',1,'2017-10-01','content 1','learned','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','first','for the test',100,'2026-11-29 16:34:10.401866');
INSERT INTO "days" VALUES('recommendation',1,'2017-10-02','content 2','learned','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','first','for the test',200,'2026-11-29 16:34:10.401866');
INSERT INTO "days" VALUES('recommendation',2,'2017-10-03','content 3','learned','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','promote','for the test',300,'2026-11-29 16:34:10.430320');
INSERT INTO "days" VALUES('recommendation',3,'2017-10-04','content 4','learned','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','keep','for the test',400,'2026-11-29 16:34:10.456520');
INSERT INTO "days" VALUES('recommendation',4,'2017-10-05','content 5','quarantined',NULL,NULL,'bad',0,'2026-11-29 16:34:10.479758');
CREATE TABLE leases (
	application VARCHAR NOT NULL, 
	fencing INTEGER NOT NULL, 
	owner VARCHAR, 
	host VARCHAR, 
	pid INTEGER, 
	pid_started FLOAT, 
	taken_at DATETIME, 
	expires_at DATETIME, 
	PRIMARY KEY (application)
);
INSERT INTO "leases" VALUES('recommendation',1,NULL,'machine',4711,1795968000.0,'2026-11-29 16:34:10.367539',NULL);
CREATE TABLE lines (
	application VARCHAR NOT NULL, 
	head VARCHAR NOT NULL, 
	champion VARCHAR NOT NULL, 
	predecessor VARCHAR, 
	anchor VARCHAR NOT NULL, 
	day DATE NOT NULL, 
	sequence INTEGER NOT NULL, 
	PRIMARY KEY (application), 
	FOREIGN KEY(application, head) REFERENCES versions (application, version), 
	FOREIGN KEY(application, champion) REFERENCES versions (application, version), 
	FOREIGN KEY(application, predecessor) REFERENCES versions (application, version), 
	FOREIGN KEY(application, anchor) REFERENCES versions (application, version)
);
INSERT INTO "lines" VALUES('recommendation','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2017-10-04',4);
CREATE TABLE snapshots (
	application VARCHAR NOT NULL, 
	sequence INTEGER NOT NULL, 
	version VARCHAR NOT NULL, 
	experiment VARCHAR NOT NULL, 
	done BOOLEAN NOT NULL, 
	PRIMARY KEY (application, sequence), 
	FOREIGN KEY(application, version) REFERENCES versions (application, version)
);
INSERT INTO "snapshots" VALUES('recommendation',1,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','recommendation-2017-10-02',0);
INSERT INTO "snapshots" VALUES('recommendation',2,'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','recommendation-2017-10-03',0);
INSERT INTO "snapshots" VALUES('recommendation',3,'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','recommendation-2017-10-04',0);
CREATE TABLE versions (
	application VARCHAR NOT NULL, 
	version VARCHAR NOT NULL, 
	parent VARCHAR, 
	predecessor VARCHAR, 
	anchor VARCHAR, 
	day DATE NOT NULL, 
	kind VARCHAR NOT NULL, 
	manifest VARCHAR NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (application, version), 
	FOREIGN KEY(application, parent) REFERENCES versions (application, version), 
	FOREIGN KEY(application, predecessor) REFERENCES versions (application, version), 
	FOREIGN KEY(application, anchor) REFERENCES versions (application, version)
);
INSERT INTO "versions" VALUES('recommendation','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',NULL,NULL,NULL,'2017-10-02','first','manifest of aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-11-29 16:34:10.396086');
INSERT INTO "versions" VALUES('recommendation','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2017-10-03','promoted','manifest of bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-11-29 16:34:10.424611');
INSERT INTO "versions" VALUES('recommendation','cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb',NULL,'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2017-10-04','state only','manifest of cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc','2026-11-29 16:34:10.455671');
COMMIT;
