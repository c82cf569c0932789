import { type TSchema, Type } from '@sinclair/typebox'
import { patterns } from '../../plugins/http/patterns.ts'
import { maxPasswordLength } from '../../src/passwords/policy.ts'
import { Email, Name, Nullable, strict, Text, Username } from '../schemas.ts'

const password = {
  maxLength: maxPasswordLength,
  examples: ['a long and quiet evening'],
  'x-normalization': 'NFC' as const
}
const Password = Text({ ...password, minLength: 1 })

/** A password that is chosen: its least length is a setting, which `withLeastLength` puts in its place. */
const NewPassword = Text({
  ...password,
  minLength: 8,
  description: 'Any Unicode but control characters; common passwords and those that contain the username are refused.'
})

export const CreateUser = Type.Object(
  { username: Username, email: Email, password: NewPassword },
  { $id: 'CreateUser', ...strict }
)

export const LoginUser = Type.Object(
  {
    username: Text({
      minLength: 1,
      maxLength: 254,
      description: 'The username or the e-mail address',
      examples: ['alice']
    }),
    password: Password,
    transport: Type.Optional(
      Type.Unsafe<'cookie' | 'bearer'>({
        type: 'string',
        enum: ['cookie', 'bearer'],
        default: 'cookie',
        description: 'Whether the tokens are kept in cookies, by a browser, or in the body, by a program'
      })
    )
  },
  { $id: 'LoginUser', ...strict }
)

/** Null stands for no body: the token is in its cookie then. */
export const RefreshToken = Nullable(
  Type.Object({ refresh_token: Text({ maxLength: 4096 }) }, { $id: 'RefreshToken', ...strict })
)

export const LogoutUser = Nullable(
  Type.Object(
    { refresh_token: Type.Optional(Text({ maxLength: 4096, description: 'Its session ends' })) },
    { $id: 'LogoutUser', ...strict }
  )
)

export const Reauthenticate = Type.Object({ password: Password }, { $id: 'Reauthenticate', ...strict })

export const ChangePassword = Type.Object(
  { current_password: Password, new_password: NewPassword },
  { $id: 'ChangePassword', ...strict }
)

export const ForgotPassword = Type.Object({ email: Email }, { $id: 'ForgotPassword', ...strict })

const LinkToken = Type.String({
  minLength: 1,
  maxLength: 256,
  pattern: patterns.token,
  description: 'The part after `#token=` of a mailed link'
})

export const ResetPassword = Type.Object(
  { token: LinkToken, new_password: NewPassword },
  { $id: 'ResetPassword', ...strict }
)

export const RequestUnlock = Type.Object({ email: Email }, { $id: 'RequestUnlock', ...strict })

export const Unlock = Type.Object({ token: LinkToken }, { $id: 'Unlock', ...strict })

export const VerifyEmail = Type.Object({ token: LinkToken }, { $id: 'VerifyEmail', ...strict })

export const DisownEmail = Type.Object({ token: LinkToken }, { $id: 'DisownEmail', ...strict })

export const UndoEmailChange = Type.Object({ token: LinkToken }, { $id: 'UndoEmailChange', ...strict })

export const DeleteUser = Type.Object({ password: Password }, { $id: 'DeleteUser', ...strict })

export const UpdateUser = Type.Object(
  { first_name: Type.Optional(Name), second_name: Type.Optional(Name), email: Type.Optional(Email) },
  { $id: 'UpdateUser', description: 'What is absent stays as it is; null clears a name.', ...strict }
)

export const ChangeUsername = Type.Object({ username: Username }, { $id: 'ChangeUsername', ...strict })

/** Puts the setting of the least length in the place of the default. */
export function withLeastLength(schema: TSchema, minLength: number): TSchema {
  const properties = Object.entries((schema.properties ?? {}) as Record<string, TSchema>)
  const replaced = properties.map(([name, property]): [string, TSchema] => [
    name,
    property === NewPassword ? { ...property, minLength } : property
  ])
  return replaced.length === 0 ? schema : { ...schema, properties: Object.fromEntries(replaced) }
}
