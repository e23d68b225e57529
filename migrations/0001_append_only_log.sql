-- The audit trail is append-only: its rows are neither changed nor removed, whoever asks.
CREATE TRIGGER `operation_logs_refuse_update` BEFORE UPDATE ON `operation_logs`
BEGIN SELECT RAISE(ABORT, 'operation_logs is append-only'); END;
--> statement-breakpoint
CREATE TRIGGER `operation_logs_refuse_delete` BEFORE DELETE ON `operation_logs`
BEGIN SELECT RAISE(ABORT, 'operation_logs is append-only'); END;
