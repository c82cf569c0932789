import type { IncomingMessage, ServerResponse } from 'node:http'
import { AccessProblem, type Caller, createVerifier, type Role, type VerifierOptions } from './verifier.ts'

export type { Caller, Role, VerifierOptions } from './verifier.ts'

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- as Express asks for it
  namespace Express {
    interface Request {
      /** Who is calling, behind `requireRole` or `requireCaller`; undefined on any other route. */
      caller: Caller
    }
  }
}

interface Request extends IncomingMessage {
  caller?: Caller
  /** As middleware for logs sets it. */
  id?: unknown
}

/** Of Express 4 and 5, and of whatever else calls middleware with Node's own request and response. */
export type Middleware = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void

export interface Guards {
  /** Lets callers with the role pass: `app.post('/articles', requireRole('author'), …)`. Others get a 401 or 403. */
  requireRole: (role: Role) => Middleware
  /** Lets every user and service with a good token pass. */
  requireCaller: Middleware
}

/** Guards for routes: access tokens of Gatehouse, sent as `Authorization: Bearer`. */
export default function gatehouse(options: VerifierOptions): Guards {
  const verifier = createVerifier(options)
  return {
    requireRole: (role) => admit((authorization) => verifier.authorize(authorization, role)),
    requireCaller: admit(verifier.authenticate)
  }
}

function admit(identify: (authorization: string | undefined) => Promise<Caller>): Middleware {
  return (request, response, next) => {
    identify(request.headers.authorization).then(
      (caller) => {
        request.caller = caller
        next()
      },
      (error: unknown) => {
        if (!(error instanceof AccessProblem)) {
          next(error)
          return
        }
        const id = typeof request.id === 'string' ? request.id : crypto.randomUUID()
        response.writeHead(error.status, { ...error.headers, 'x-request-id': id }).end(error.toBody(id))
      }
    )
  }
}
