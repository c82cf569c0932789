import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { longestPassword } from '../../src/passwords/policy.ts'
import { Email, Name, Nullable, strict, Text, Username } from '../schemas.ts'

const Password = Text({
  minLength: 1,
  maxLength: longestPassword,
  description: 'Any Unicode but control characters; common passwords and those that hold the name are refused.',
  examples: ['a long and quiet evening']
})

export const CreateUser = Type.Object(
  {
    username: Username('3 to 32 Latin letters and digits, between them also `.`, `_` and `-`; unique in any case'),
    email: Email,
    password: Password
  },
  { $id: 'CreateUser', ...strict }
)

export const LoginUser = Type.Object(
  {
    username: Username('The username or the e-mail address'),
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
  Type.Object({ refresh_token: Type.String({ format: 'text' }) }, { $id: 'RefreshToken', ...strict })
)

export const LogoutUser = Nullable(
  Type.Object(
    { refresh_token: Type.Optional(Type.String({ format: 'text', description: 'The session that it names ends' })) },
    { $id: 'LogoutUser', ...strict }
  )
)

export const Reauthenticate = Type.Object({ password: Password }, { $id: 'Reauthenticate', ...strict })

export const ChangePassword = Type.Object(
  { current_password: Password, new_password: Password },
  { $id: 'ChangePassword', ...strict }
)

export const ForgotPassword = Type.Object({ email: Email }, { $id: 'ForgotPassword', ...strict })

const LinkToken = Text({ minLength: 1, maxLength: 256, description: 'What follows `#token=` in the link of a mail' })

export const ResetPassword = Type.Object(
  { token: LinkToken, new_password: Password },
  { $id: 'ResetPassword', ...strict }
)

export const VerifyEmail = Type.Object({ token: LinkToken }, { $id: 'VerifyEmail', ...strict })

export const DeleteUser = Type.Object({ password: Password }, { $id: 'DeleteUser', ...strict })

export const UpdateUser = Type.Object(
  { first_name: Type.Optional(Name), second_name: Type.Optional(Name), email: Type.Optional(Email) },
  { $id: 'UpdateUser', description: 'What is absent stays as it is; null clears a name.', ...strict }
)

const bodies = [
  CreateUser,
  LoginUser,
  RefreshToken,
  LogoutUser,
  Reauthenticate,
  UpdateUser,
  ChangePassword,
  ForgotPassword,
  ResetPassword,
  VerifyEmail,
  DeleteUser
]

export function addAuthSchemas(app: FastifyInstance): void {
  for (const schema of bodies) app.addSchema(schema)
}
