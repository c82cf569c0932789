import type { Page } from '../../database/pagination.ts'
import type { Mechanisms } from '../../mechanisms.ts'
import { type AuditQuery, type AuditRow, listEvents } from '../../repositories/audit-event-list.ts'

/** A page of what happened, newest first. @throws {InvalidInput} for a cursor of another list */
export const listAuditEvents =
  ({ db }: Mechanisms) =>
  (query: AuditQuery): Promise<Page<AuditRow>> =>
    listEvents(db, query)
