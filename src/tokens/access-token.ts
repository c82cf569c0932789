import { randomUUID } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import type { Config } from '../config/config.ts'
import type { TokenSubject } from '../repositories/users.ts'
import { type Authority, listWords } from '../scopes.ts'
import type { ClientRow } from '../repositories/clients.ts'
import type { SessionProof } from '../repositories/sessions.ts'
import { claimsFor, listRoles } from '../roles.ts'
import { type AccessClaims, type ClientClaims, clientSubject, type UserClaims } from './claims.ts'
import type { SigningKey } from '../keys/key-files.ts'
import type { Keyring } from '../keys/keyring.ts'

export type AccessTokenOptions = Pick<Config, 'issuer' | 'audience' | 'accessTokenLifetime'>

export interface AccessToken {
  token: string
  /** Seconds. */
  expiresIn: number
}

export interface AccessTokens {
  issueToUser: (user: TokenSubject, session: SessionProof & { sessionId: string }) => AccessToken
  /** @param granted the roles and scopes that were asked for, of those that the client has */
  issueToClient: (client: Pick<ClientRow, 'id' | 'version'>, secretId: string, granted: Authority) => AccessToken
}

/** Issues RFC 9068 access tokens with the ring's active key. A signer is made once a key. */
export function createAccessTokens(keyring: Keyring, options: AccessTokenOptions): AccessTokens {
  const signers = new WeakMap<SigningKey, (claims: object) => string>()

  function signerOf(key: SigningKey): (claims: object) => string {
    let sign = signers.get(key)
    if (sign === undefined) {
      sign = createSigner({
        key: key.privatePem,
        algorithm: key.algorithm,
        kid: key.kid,
        header: { alg: key.algorithm, typ: 'at+jwt' }
      })
      signers.set(key, sign)
    }
    return sign
  }

  function issue<C extends AccessClaims>(own: Omit<C, 'iss' | 'aud' | 'iat' | 'exp' | 'jti' | 'type'>): AccessToken {
    const issuedAt = Math.floor(Date.now() / 1000)
    const claims = {
      iss: options.issuer,
      aud: options.audience,
      iat: issuedAt,
      exp: issuedAt + options.accessTokenLifetime,
      jti: randomUUID(),
      type: 'access',
      ...own
    }
    return { token: signerOf(keyring.current().signing)(claims), expiresIn: options.accessTokenLifetime }
  }

  return {
    issueToUser: (user, { sessionId, methods, at }) =>
      issue<UserClaims>({
        sub: String(user.id),
        client_id: options.audience,
        scope: listRoles(user).join(' '),
        sid: sessionId,
        auth_time: at,
        amr: methods,
        acr: '1',
        ver: user.version,
        username: user.username,
        ...claimsFor(listRoles(user))
      }),
    issueToClient: (client, secretId, granted) =>
      issue<ClientClaims>({
        sub: clientSubject(client.id),
        client_id: client.id,
        sid: secretId,
        ver: client.version,
        scope: listWords(granted).join(' '),
        ...claimsFor(granted.roles)
      })
  }
}
