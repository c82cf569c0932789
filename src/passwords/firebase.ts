/** The parameters of a Firebase project's hashes, which are the same for all of its users. */
export interface FirebaseParameters {
  signerKey: string
  saltSeparator: string
  rounds: string
  memoryCost: string
}

const base64 = /^[\w+/-]*=*$/

/**
 * Reads what Firebase's console shows under “Password hash parameters”, or the same as JSON.
 * @returns undefined where one is missing
 */
export function readFirebaseParameters(text: string): FirebaseParameters | undefined {
  const [signerKey, saltSeparator, rounds, memoryCost] = [
    'base64_signer_key',
    'base64_salt_separator',
    'rounds',
    'mem_cost'
  ].map((name) => new RegExp(String.raw`\b${name}"?\s*:\s*"?([\w+/=-]*)`).exec(text)?.[1])
  if (!signerKey || saltSeparator === undefined || !rounds || !memoryCost) return undefined
  return { signerKey, saltSeparator, rounds, memoryCost }
}

/** One line that holds all that verification takes. @returns undefined where salt or digest is not Base64 */
export function toFirebaseHash(parameters: FirebaseParameters, salt: string, digest: string): string | undefined {
  if (!base64.test(salt) || !base64.test(digest)) return undefined
  const { signerKey, saltSeparator, rounds, memoryCost } = parameters
  return `$fbscrypt$v=1,n=${memoryCost},r=${rounds},p=1,ss=${saltSeparator},sk=${signerKey}$${salt}$${digest}`
}
