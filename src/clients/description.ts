import { flagsOf } from '../roles.ts'
import { scopesIn } from '../scopes.ts'
import type { ClientWithSecrets, SecretRow } from '../repositories/clients.ts'

/** A secret as answers and the command line give it. */
export const describeSecret = (secret: SecretRow) => ({
  id: secret.id,
  created_at: secret.createdAt,
  last_used_at: secret.lastUsedAt
})

/** A client as answers and the command line give it. */
export const describeClient = (client: ClientWithSecrets) => ({
  id: client.id,
  name: client.name,
  ...flagsOf(client),
  scopes: [...scopesIn(client.scopes)],
  is_disabled: client.isDisabled,
  created_at: client.createdAt,
  secrets: client.secrets.map(describeSecret)
})
