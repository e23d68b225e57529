CREATE TABLE `api_tokens` (
	`organization_id` text NOT NULL,
	`id` text NOT NULL,
	`principal_id` text NOT NULL,
	`role` text NOT NULL,
	`sha256` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`expires_at_ms` integer,
	`revoked_at_ms` integer,
	PRIMARY KEY(`organization_id`, `id`),
	FOREIGN KEY (`organization_id`,`principal_id`) REFERENCES `principals`(`organization_id`,`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `api_tokens_by_sha256` ON `api_tokens` (`sha256`);--> statement-breakpoint
CREATE TABLE `idempotency_records` (
	`organization_id` text NOT NULL,
	`key` text NOT NULL,
	`request_sha256` text NOT NULL,
	`answer` text NOT NULL,
	`expires_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `notices` (
	`organization_id` text NOT NULL,
	`id` text NOT NULL,
	`dedupe_key` text NOT NULL,
	`task_id` text NOT NULL,
	`channel` text NOT NULL,
	`target` text,
	`status` text NOT NULL,
	`body` text NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at_ms` integer,
	`created_at_ms` integer NOT NULL,
	`sent_at_ms` integer,
	PRIMARY KEY(`organization_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `notices_by_dedupe_key` ON `notices` (`organization_id`,`dedupe_key`);--> statement-breakpoint
CREATE INDEX `notices_pending` ON `notices` (`next_attempt_at_ms`) WHERE next_attempt_at_ms is not null;--> statement-breakpoint
CREATE TABLE `operation_logs` (
	`organization_id` text NOT NULL,
	`subject_id` text NOT NULL,
	`id` text NOT NULL,
	`project_id` text,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`message` text NOT NULL,
	`details` text,
	`at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `subject_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `orders` (
	`organization_id` text NOT NULL,
	`project_id` text NOT NULL,
	`id` text NOT NULL,
	`head_commit` text,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `project_id`, `id`),
	FOREIGN KEY (`organization_id`,`project_id`) REFERENCES `projects`(`organization_id`,`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `organizations` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`last_claim_at_ms` integer DEFAULT 0 NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `principals` (
	`organization_id` text NOT NULL,
	`id` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `id`),
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `projects` (
	`organization_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`source` text NOT NULL,
	`settings` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `id`),
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `projects_by_name` ON `projects` (`organization_id`,`name`);--> statement-breakpoint
CREATE TABLE `tasks` (
	`organization_id` text NOT NULL,
	`id` text NOT NULL,
	`project_id` text NOT NULL,
	`order_id` text NOT NULL,
	`type` text NOT NULL,
	`kind` text NOT NULL,
	`prompt_text` text,
	`prompt_key` text,
	`source` text NOT NULL,
	`status` text NOT NULL,
	`fence` integer DEFAULT 0 NOT NULL,
	`provider` text,
	`preferred_provider` text,
	`allow_fallback` integer NOT NULL,
	`model` text,
	`allowed_paths` text,
	`validation` text,
	`limits` text NOT NULL,
	`deadline_at_ms` integer NOT NULL,
	`callback_url` text,
	`cancel_requested_at_ms` integer,
	`not_before_ms` integer,
	`not_before_reason` text,
	`delays` integer DEFAULT 0 NOT NULL,
	`sends` integer DEFAULT 1 NOT NULL,
	`sweep_at_ms` integer,
	`outcome_code` text,
	`outcome_message` text,
	`created_by` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	`finished_at_ms` integer,
	PRIMARY KEY(`organization_id`, `id`),
	FOREIGN KEY (`organization_id`,`project_id`) REFERENCES `projects`(`organization_id`,`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `tasks_queued` ON `tasks` (`organization_id`,`id`) WHERE status = 'queued';--> statement-breakpoint
CREATE INDEX `tasks_to_sweep` ON `tasks` (`sweep_at_ms`) WHERE sweep_at_ms is not null;--> statement-breakpoint
CREATE TABLE `ai_provider_assignments` (
	`organization_id` text NOT NULL,
	`task_uuid` text NOT NULL,
	`fence` integer NOT NULL,
	`id` text NOT NULL,
	`provider_name` text NOT NULL,
	`provider_type` text NOT NULL,
	`status` text NOT NULL,
	`execution_id` text,
	`decision` text NOT NULL,
	`created_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `task_uuid`, `fence`),
	FOREIGN KEY (`organization_id`,`task_uuid`) REFERENCES `tasks`(`organization_id`,`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `ai_provider_assignments_active` ON `ai_provider_assignments` (`organization_id`,`task_uuid`) WHERE status = 'active';--> statement-breakpoint
CREATE TABLE `ai_provider_configs` (
	`organization_id` text NOT NULL,
	`provider_name` text NOT NULL,
	`enabled` integer NOT NULL,
	`api_endpoint` text,
	`default_model` text,
	`rate_limits` text NOT NULL,
	`cost_per_token` text NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `provider_name`),
	FOREIGN KEY (`organization_id`) REFERENCES `organizations`(`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `ai_provider_executions` (
	`organization_id` text NOT NULL,
	`task_uuid` text NOT NULL,
	`fence` integer NOT NULL,
	`execution_id` text NOT NULL,
	`provider_name` text NOT NULL,
	`status` text NOT NULL,
	`input` text NOT NULL,
	`output` text,
	`output_key` text,
	`patch_data` text,
	`session_id` text,
	`usage` text,
	`events` integer DEFAULT 0 NOT NULL,
	`outcome_code` text,
	`outcome_message` text,
	`created_at_ms` integer NOT NULL,
	`started_at_ms` integer,
	`settled_at_ms` integer,
	`duration_ms` integer,
	PRIMARY KEY(`organization_id`, `task_uuid`, `fence`),
	FOREIGN KEY (`organization_id`,`task_uuid`) REFERENCES `tasks`(`organization_id`,`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `ai_provider_executions_live` ON `ai_provider_executions` (`provider_name`) WHERE settled_at_ms is null;--> statement-breakpoint
CREATE TABLE `patch_sets` (
	`organization_id` text NOT NULL,
	`task_id` text NOT NULL,
	`id` text NOT NULL,
	`fence` integer NOT NULL,
	`content_key` text NOT NULL,
	`status` text NOT NULL,
	`set_text` text,
	`set_key` text,
	`base_commit` text NOT NULL,
	`files` integer NOT NULL,
	`operations` integer NOT NULL,
	`tree_id` text,
	`commit_sha` text,
	`validation` text,
	`faults` text DEFAULT '[]' NOT NULL,
	`created_at_ms` integer NOT NULL,
	`updated_at_ms` integer NOT NULL,
	PRIMARY KEY(`organization_id`, `task_id`, `id`),
	FOREIGN KEY (`organization_id`,`task_id`) REFERENCES `tasks`(`organization_id`,`id`) ON UPDATE no action ON DELETE no action
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `patch_sets_by_content` ON `patch_sets` (`organization_id`,`task_id`,`content_key`);