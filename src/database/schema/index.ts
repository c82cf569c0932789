export { auditEvents } from './audit-events.ts'
export { revocations } from './revocations.ts'
export { sessions } from './sessions.ts'
export { users } from './users.ts'
