import type { Static } from '@sinclair/typebox'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { bearerToken } from '../../plugins/access.ts'
import type { TokenPair } from '../../src/tokens/token-pair.ts'
import type { Token } from '../schemas.ts'

/** Hands tokens over: to a browser the refresh token in its cookie alone, to a program in the body. */
export function handOver(reply: FastifyReply, tokens: TokenPair, transport: 'cookie' | 'bearer'): Static<typeof Token> {
  if (transport === 'cookie') reply.setSessionCookies(tokens)
  return {
    access_token: tokens.access.token,
    token_type: 'Bearer',
    expires_in: tokens.access.expiresIn,
    ...(transport === 'bearer' && { refresh_token: tokens.refreshToken, refresh_expires_in: tokens.refreshExpiresIn })
  }
}

/** How an authenticated caller keeps its tokens: as it presented one. */
export const readTransport = (request: FastifyRequest): 'cookie' | 'bearer' =>
  bearerToken(request) === undefined ? 'cookie' : 'bearer'
