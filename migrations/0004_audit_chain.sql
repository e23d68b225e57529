CREATE TABLE `operation_log_anchors` (
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`day` text NOT NULL,
	`number` integer NOT NULL,
	`hash` text NOT NULL,
	PRIMARY KEY(`organization_id`, `project_id`, `day`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `operation_log_seals` (
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`number` integer NOT NULL,
	`first_seq` integer NOT NULL,
	`last_seq` integer NOT NULL,
	`digests` text NOT NULL,
	`hash` text NOT NULL,
	`sealed_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `project_id`, `number`)
) WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `operation_logs` ADD `seq` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
-- The lines that are there get their chain and their place in it, once; then nobody changes a line any more.
DROP TRIGGER `operation_logs_refuse_update`;
--> statement-breakpoint
UPDATE `operation_logs` SET `project_id` = coalesce(`project_id`, (
	SELECT t.project_id FROM `tasks` t
	WHERE t.organization_id = `operation_logs`.organization_id AND t.id = `operation_logs`.subject_id
), '');
--> statement-breakpoint
UPDATE `operation_logs` SET `seq` = numbered.place FROM (
	SELECT organization_id, subject_id, id,
		row_number() OVER (PARTITION BY organization_id, project_id ORDER BY at_ms, id) AS place
	FROM `operation_logs`
) AS numbered
WHERE numbered.organization_id = `operation_logs`.organization_id
	AND numbered.subject_id = `operation_logs`.subject_id AND numbered.id = `operation_logs`.id;
--> statement-breakpoint
CREATE UNIQUE INDEX `operation_logs_chain` ON `operation_logs` (`organization_id`,`project_id`,`seq`);--> statement-breakpoint
ALTER TABLE `patch_sets` ADD `audit_head` text;
--> statement-breakpoint
CREATE TRIGGER `operation_logs_refuse_update` BEFORE UPDATE ON `operation_logs`
BEGIN SELECT RAISE(ABORT, 'operation_logs is append-only'); END;
--> statement-breakpoint
-- An INSERT OR REPLACE removes rows without the trigger of a delete, so a place that is taken is refused before it.
CREATE TRIGGER `operation_logs_refuse_replace` BEFORE INSERT ON `operation_logs`
WHEN new.project_id IS NULL OR new.seq < 1
	OR EXISTS (SELECT 1 FROM `operation_logs` WHERE organization_id = new.organization_id
		AND subject_id = new.subject_id AND id = new.id)
	OR EXISTS (SELECT 1 FROM `operation_logs` WHERE organization_id = new.organization_id
		AND project_id = new.project_id AND seq = new.seq)
BEGIN SELECT RAISE(ABORT, 'operation_logs is append-only: a line needs a place of its own'); END;
--> statement-breakpoint
CREATE TRIGGER `operation_log_seals_refuse_update` BEFORE UPDATE ON `operation_log_seals`
BEGIN SELECT RAISE(ABORT, 'operation_log_seals is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `operation_log_seals_refuse_delete` BEFORE DELETE ON `operation_log_seals`
BEGIN SELECT RAISE(ABORT, 'operation_log_seals is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `operation_log_seals_refuse_replace` BEFORE INSERT ON `operation_log_seals`
WHEN EXISTS (SELECT 1 FROM `operation_log_seals` WHERE organization_id = new.organization_id
	AND project_id = new.project_id AND number = new.number)
BEGIN SELECT RAISE(ABORT, 'operation_log_seals is append-only: the number is taken'); END;
