export { changePassword } from './change-password.ts'
export { deleteAccount } from './delete-account.ts'
export { disownEmail } from './disown-email.ts'
export { expireAccounts } from './expire-accounts.ts'
export { exportAccount } from './export-account.ts'
export { logIn } from './log-in.ts'
export { logOut } from './log-out.ts'
export { reauthenticate } from './reauthenticate.ts'
export { refresh } from './refresh.ts'
export { register } from './register.ts'
export { forgotPassword, resetPassword } from './reset-password.ts'
export { endOtherSessions, endSession, listSessions } from './sessions.ts'
export { undoEmailChange } from './undo-email-change.ts'
export { requestUnlock, unlock } from './unlock.ts'
export { changeUsername, currentUser, updateProfile } from './update-profile.ts'
export { requestEmailVerification, verifyEmail } from './verify-email.ts'
export {
  addClientSecret,
  createClient,
  deleteClient,
  endClientSecret,
  getClient,
  listClients,
  updateClient
} from './admin/clients.ts'
export { listAuditEvents } from './admin/audit-events.ts'
export { createUserWithPassword as createUser } from './admin/create-user.ts'
export {
  countMatchingSessions,
  endMatchingSessions,
  endUserSession,
  endUserSessions,
  listUserSessions
} from './admin/sessions.ts'
export { setPassword } from './admin/set-password.ts'
export {
  cursorAfterUser,
  deleteUser,
  getUser,
  getUserByLogin,
  inviteUser,
  listAllUsers as listUsers,
  updateUser
} from './admin/users.ts'
export { revokeClientToken } from './oauth/revoke-client-token.ts'
