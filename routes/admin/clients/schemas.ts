import { Type } from '@sinclair/typebox'
import { type ClientScope, clientScopes } from '../../../src/scopes.ts'
import { maxNameLength } from '../../../src/operations/admin/clients.ts'
import { toClaim, mapRoles } from '../../../src/roles.ts'
import { Nullable, ref, strict, Text, Timestamp } from '../../schemas.ts'
import { PageOf } from '../schemas.ts'

const Name = Text({ minLength: 1, maxLength: maxNameLength, examples: ['billing'] })
const Id = (description: string) => Type.String({ format: 'uuid', description })
const Role = Type.Boolean({ default: false })
const Scopes = Type.Array(Type.Unsafe<ClientScope>({ type: 'string', enum: [...clientScopes] }), {
  uniqueItems: true,
  maxItems: clientScopes.length,
  description: 'What it may do without the role `admin`'
})
const ClientSecretValue = Type.String({ description: 'Shown only once: the service keeps a digest' })

export const CreateServiceClient = Type.Object(
  {
    name: Name,
    ...mapRoles(toClaim, () => Type.Optional(Role)),
    scopes: Type.Optional({ ...Scopes, description: '`introspect` unless named' })
  },
  { $id: 'CreateServiceClient', ...strict }
)

export const UpdateServiceClient = Type.Object(
  {
    name: Type.Optional(Name),
    ...mapRoles(toClaim, () => Type.Optional(Type.Boolean())),
    scopes: Type.Optional(Scopes),
    is_disabled: Type.Optional(Type.Boolean())
  },
  { $id: 'UpdateServiceClient', description: 'What is absent stays as it is.', ...strict }
)

const secret = {
  id: Id('The id of the secret, for its deletion'),
  created_at: Timestamp,
  last_used_at: Type.Unsafe<string | Date | null>({ ...Nullable(Timestamp), description: 'To the minute' })
}

export const ClientSecret = Type.Object(secret, { $id: 'ClientSecret' })

export const CreatedClientSecret = Type.Object(
  { ...secret, client_secret: ClientSecretValue },
  { $id: 'CreatedClientSecret' }
)

const client = {
  id: Id('The `client_id`'),
  name: Type.String(),
  ...mapRoles(toClaim, () => Type.Boolean()),
  scopes: Scopes,
  is_disabled: Type.Boolean(),
  created_at: Timestamp,
  secrets: Type.Array(ref(ClientSecret))
}

export const ServiceClient = Type.Object(client, { $id: 'ServiceClient' })

export const CreatedServiceClient = Type.Object(
  { ...client, client_secret: ClientSecretValue },
  { $id: 'CreatedServiceClient' }
)

export const ServiceClientList = PageOf(ServiceClient, 'ServiceClientList')

export const clientParams = Type.Object({ id: Id('The `client_id`') })
