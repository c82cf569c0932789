import { randomUUID } from 'node:crypto'
import { createSigner } from 'fast-jwt'
import type { TokenSubject } from '../users/queries.ts'
import type { AccessClaims } from './claims.ts'
import type { SigningKey } from './key-files.ts'
import type { Keyring } from './keyring.ts'

export interface AccessTokenOptions {
  issuer: string
  audience: string
  /** Seconds. */
  lifetime: number
}

export interface AccessToken {
  token: string
  /** Seconds. */
  expiresIn: number
}

export type IssueAccessToken = (user: TokenSubject, sessionId: string) => AccessToken

/** Issues RFC 9068 access tokens with the ring's active key. A signer is made once a key. */
export function createAccessTokens(keyring: Keyring, options: AccessTokenOptions): IssueAccessToken {
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

  return (user, sessionId) => {
    const issuedAt = Math.floor(Date.now() / 1000)
    const claims: AccessClaims = {
      iss: options.issuer,
      aud: options.audience,
      sub: String(user.id),
      iat: issuedAt,
      exp: issuedAt + options.lifetime,
      jti: randomUUID(),
      sid: sessionId,
      ver: user.version,
      type: 'access',
      username: user.username,
      is_reader: user.isReader,
      is_author: user.isAuthor,
      is_admin: user.isAdmin
    }
    return { token: signerOf(keyring.current().signing)(claims), expiresIn: options.lifetime }
  }
}
