/** What the doctor has found of one thing. The message of what is not in order says what to do. */
export interface Check {
  about: 'settings' | 'files' | 'proxy' | 'cookies' | 'keys' | 'database' | 'schema' | 'clock' | 'mail'
  status: 'ok' | 'warning' | 'failed'
  message: string
}
