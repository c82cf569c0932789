// Not `invalid_credentials`, which is about a password, and not `refresh_token_…`, which no refresh puts right.
const codes = new Set(['not_authenticated', 'token_expired', 'token_invalid', 'token_revoked'])

/** Whether the answer says that the access token, or the lack of one, is the fault: Gatehouse's codes, or RFC 6750's. */
export async function refusesToken(answer: Response): Promise<boolean> {
  if (answer.status !== 401) return false
  const { code } = await problemOf(answer)
  if (code !== undefined) return codes.has(code)
  return answer.headers.get('www-authenticate')?.includes('error="invalid_token"') === true
}

async function problemOf(answer: Response): Promise<{ code?: string }> {
  try {
    return (await answer.clone().json()) as { code?: string }
  } catch {
    return {}
  }
}
