CREATE TABLE `dead_letters` (
	`organization_id` text NOT NULL,
	`id` text NOT NULL,
	`task_id` text NOT NULL,
	`message_id` text NOT NULL,
	`status` text NOT NULL,
	`because` text NOT NULL,
	`replayed_as` text,
	`replayed_by` text,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `dead_letters_by_message` ON `dead_letters` (`organization_id`,`message_id`);--> statement-breakpoint
CREATE INDEX `dead_letters_by_status` ON `dead_letters` (`organization_id`,`status`,`id`);--> statement-breakpoint
ALTER TABLE `tasks` ADD `retries` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tasks` ADD `waiting` text;--> statement-breakpoint
ALTER TABLE `tasks` ADD `resume` text;--> statement-breakpoint
ALTER TABLE `tasks` ADD `parent_id` text;--> statement-breakpoint
ALTER TABLE `tasks` ADD `depth` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tasks` ADD `replay_of` text;--> statement-breakpoint
CREATE INDEX `tasks_of_order` ON `tasks` (`organization_id`,`project_id`,`order_id`) WHERE finished_at_ms is null;--> statement-breakpoint
CREATE INDEX `tasks_by_parent` ON `tasks` (`organization_id`,`parent_id`) WHERE parent_id is not null;--> statement-breakpoint
ALTER TABLE `ai_provider_executions` ADD `project_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
CREATE INDEX `ai_provider_executions_live_of` ON `ai_provider_executions` (`organization_id`,`project_id`) WHERE settled_at_ms is null;--> statement-breakpoint
ALTER TABLE `patch_sets` ADD `approved_by` text;--> statement-breakpoint
CREATE INDEX `idempotency_records_by_expiry` ON `idempotency_records` (`expires_at_ms`);