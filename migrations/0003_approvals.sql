ALTER TABLE `patch_sets` ADD `approval_reasons` text;--> statement-breakpoint
ALTER TABLE `patch_sets` ADD `approved_binding` text;--> statement-breakpoint
CREATE INDEX `patch_sets_by_id` ON `patch_sets` (`organization_id`,`id`);--> statement-breakpoint
CREATE INDEX `patch_sets_awaiting` ON `patch_sets` (`organization_id`,`id`) WHERE status = 'awaiting_approval';