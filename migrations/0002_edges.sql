DROP INDEX "outbox_next_attempt_at";--> statement-breakpoint
ALTER TABLE "account_tokens" ADD COLUMN "email" text;--> statement-breakpoint
ALTER TABLE "clients" ADD COLUMN "scopes" text[] DEFAULT '{introspect}' NOT NULL;--> statement-breakpoint
ALTER TABLE "outbox" ADD COLUMN "priority" smallint DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "auth_time" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "amr" text[];--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "unanswered_counter" integer;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "pending_email" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "pending_email_key" text collate "C";--> statement-breakpoint
CREATE INDEX "account_tokens_undo" ON "account_tokens" USING btree ("email_key") WHERE "account_tokens"."purpose" = 'email_undo';--> statement-breakpoint
CREATE INDEX "outbox_priority_next_attempt_at" ON "outbox" USING btree ("priority","next_attempt_at");--> statement-breakpoint
CREATE INDEX "users_unverified" ON "users" USING btree ("created_at") WHERE not "users"."email_verified";