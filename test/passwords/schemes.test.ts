import t from 'tap'
import { readFirebaseParameters, toFirebaseHash } from '../../src/passwords/firebase.ts'
import { createHasher } from '../../src/passwords/hasher.ts'
import { faultOfHash, verifyHash } from '../../src/passwords/schemes/index.ts'

const policy = { memoryCost: 8, timeCost: 1, parallelism: 1 }
const word = 'lètmein'

// Those without a source were made by the named software itself: Django 5.2, passlib 1.7.4, Werkzeug 3.1.
const known: [origin: string, password: string, hash: string][] = [
  ['Openwall crypt_blowfish', 'U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['passlib bcrypt', word, '$2b$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m'],
  ['PHP bcrypt', word, '$2y$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m'],
  ['Django bcrypt', word, 'bcrypt$$2b$05$0fZO3UhklhM8.eHWvL5B6.udYVCm/.P/nAeLnH1a21tptnNu8TCwG'],
  ['Django bcrypt_sha256', word, 'bcrypt_sha256$$2b$05$wG4s5Mzn1lZq0Vw80eyukenP5y54Y.fa2AerDiRLJc794H5vmQAnq'],
  ['passlib bcrypt_sha256', word, '$bcrypt-sha256$v=2,t=2b,r=5$Ura4CHdEee6oyIRA0AIope$eZmCtuOTOuMCe34Uv8nt86S.dyxNQcu'],
  [
    'passlib bcrypt_sha256, first version',
    word,
    '$bcrypt-sha256$2b,5$65pnTL/LRMmXPsI5TnPwye$HNN9DhdWxEVrRpGzajP1SLYhh02ZWhG'
  ],
  ["Django's tests, pbkdf2_sha256", word, 'pbkdf2_sha256$12000$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s='],
  ["Django's tests, pbkdf2_sha1", word, 'pbkdf2_sha1$30000$seasalt2$pMzU1zNPcydf6wjnJFbiVKwgULc='],
  [
    "passlib's documentation, pbkdf2_sha256",
    'password',
    '$pbkdf2-sha256$6400$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M'
  ],
  ['passlib pbkdf2_sha1', word, '$pbkdf2$1000$w3gPYWzN2RujFEJorfUeIw$V0onv35pl/5Nl6FcSQGm6Z4sL/4'],
  [
    'passlib pbkdf2_sha512',
    word,
    '$pbkdf2-sha512$1000$mBMiZMz5v1cKIcR4D.Ecow$Yeei3IRw66bgoz0J7NMKSP8ffLo6LizNh7i2Jms2bMCOlhSW/easw2qOAzGgCLY3Q9zNDcKC1W3eaZc8dwGAYw'
  ],
  ['Werkzeug pbkdf2:sha1', word, 'pbkdf2:sha1:1000$xxNhQdQQINAT9vUd$1f821764abf3673b15b9e653c8944957155d524c'],
  [
    'Werkzeug pbkdf2:sha256',
    word,
    'pbkdf2:sha256:1000$grtxHBH7u6vVmxE2$6993462ca7ba1f12ad9d07a90a8231b25eeee0fcb67be2b976d03922c6a1b1c7'
  ],
  [
    'Werkzeug pbkdf2:sha512',
    word,
    'pbkdf2:sha512:1000$Xvd7WX2zNCvcetnQ$171340e9551e04f290a3bba807c4602b2eb8ee3781afb4a732f2b173660a364929e1d8ea65fd1daa60bfb373558a6374e97823911755a847dbbd2464aa3b52f6'
  ],
  [
    'Werkzeug scrypt',
    word,
    'scrypt:32768:8:1$1DTQPDwTDMCezCA7$d7c3e7072f980942d7044e4a6907a17fb1e04d677cc93d8e25b5e55bd86c09e0beeda6f0d0decb53fbc75733baa48994737d025ef657b1f29aded39a4ada2405'
  ],
  [
    'Werkzeug scrypt, p=2',
    word,
    'scrypt:1024:8:2$Ooo1xLWWGRXI4hsD$64fad1f82c0f12111ba99c64226a59f2231fdf3484cda6d466bfb56caf8e8b7e3475842ed93e8ca56c23ca03d667177ad6c7329e2a5c976845f1c4110906b3cf'
  ],
  [
    "Django's tests, scrypt",
    word,
    'scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=='
  ],
  [
    "passlib's documentation, scrypt",
    'password',
    '$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E'
  ],
  [
    "Supabase's tests, Firebase scrypt",
    'mytestpassword',
    '$fbscrypt$v=1,n=14,r=8,p=1,ss=Bw==,sk=ou9tdYTGyYm8kuR6Dt0Bp0kDuAYoXrK16mbZO4yGwAn3oLspjnN0/c41v8xZnO1n14J3MjKj1b2g6AUCAlFwMw==$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsalx4c4c7y/w7IS5p6Ut2+CfEFFlz37J9huyQfov4iizN8dbjvEJlM5tQaJP84+hfTw=='
  ],
  [
    "Argon2's own tests, argon2i",
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA'
  ],
  [
    "Argon2's own tests, argon2i of version 16",
    'password',
    '$argon2i$m=65536,t=2,p=1$c29tZXNhbHQ$9sTbSlTio3Biev89thdrlKKiCaYsjjYVJxGAL3swxpQ'
  ],
  [
    "Argon2's own tests, argon2id",
    'password',
    '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  ],
  [
    'passlib argon2d',
    word,
    '$argon2d$v=19$m=512,t=2,p=4$GcOYU6r1HgPAmPPeG4MwZg$mWMvS6O8kKZX9BLVMcKaHFij65B4F/wvlCwZDXA8d6E'
  ],
  [
    'passlib argon2id, four lanes',
    word,
    '$argon2id$v=19$m=512,t=2,p=4$DgGAEGLMWeu9N0YIwZgz5g$6FcfiyN9dYG6D8VDQs8ZfDYHxykm3RsBgvXMfwXyD3U'
  ],
  [
    'Django argon2',
    word,
    'argon2$argon2id$v=19$m=512,t=2,p=2$c2Vhc2FsdHNlYXNhbHQ$LjTCTAQ0zli94Z05CPtJPetNDdA3bHqrlu6E2I4NI70'
  ]
]

for (const [origin, password, hash] of known) {
  await t.test(`${origin}: the password matches, and no other`, async (t) => {
    t.equal(faultOfHash(hash, policy), undefined)
    t.equal(verifyHash(hash, [password], policy), true)
    for (const wrong of [`${password} `, `x${password}`, '', hash]) {
      t.equal(verifyHash(hash, [wrong], policy), false, wrong)
    }
  })
}

await t.test('bcrypt looks at 72 bytes, as where the hash comes from, and its SHA-256 variants at all', async (t) => {
  // Openwall's vector; the password goes on after 72 bytes.
  const long = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
  const hash = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui'
  for (const password of [long, `${long}chars after 72 are ignored`])
    t.equal(verifyHash(hash, [password], policy), true)
  t.equal(verifyHash(hash, [long.slice(0, 71)], policy), false)
  // passlib's own vector, of which the 72nd byte is not the last.
  const prehashed = '$bcrypt-sha256$v=2,t=2b,r=5$X1g1nh3g0v4h6970O68cxe$CBF9csfEdW68xv3DwE6xSULXMtqEFP.'
  t.equal(verifyHash(prehashed, [`${'abc123'.repeat(12)}qwr`], policy), true)
  t.equal(verifyHash(prehashed, [`${'abc123'.repeat(12)}xyz`], policy), false)
})

await t.test("Firebase's hash is made of an export's salt and the parameters that the console shows", async (t) => {
  // The example in github.com/firebase/scrypt.
  const shown = `hash_config {
    algorithm: SCRYPT,
    base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
    base64_salt_separator: Bw==,
    rounds: 8,
    mem_cost: 14,
  }`
  const parameters = readFirebaseParameters(shown)
  const asJson = JSON.stringify({
    base64_signer_key: parameters?.signerKey,
    base64_salt_separator: 'Bw==',
    rounds: 8,
    mem_cost: 14
  })
  t.strictSame(readFirebaseParameters(asJson), parameters)
  t.equal(readFirebaseParameters('rounds: 8, mem_cost: 14'), undefined)
  const digest = 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ=='
  const hash = toFirebaseHash(parameters!, '42xEC+ixf3L2lw==', digest) ?? ''
  t.equal(verifyHash(hash, ['user1password'], policy), true)
  t.equal(verifyHash(hash, ['user2password'], policy), false)
  const ofUrls = toFirebaseHash(parameters!, '42xEC-ixf3L2lw==', digest.replaceAll('+', '-').replaceAll('/', '_'))
  t.equal(verifyHash(ofUrls ?? '', ['user1password'], policy), true, 'in the Base64 of URLs')
  t.equal(toFirebaseHash(parameters!, 'salt$', digest), undefined)
})

await t.test('what is no hash, or is cut short, matches nothing and is named so', async (t) => {
  const malformed = [
    '',
    'a long and quiet evening',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$1$salt$qJH7.N4xYta3aEG/dfqo/0',
    '$2x$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
    '$2b$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3',
    '$2b$03$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
    '$2b$5$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
    ' $2b$05$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
    'pbkdf2_sha256$0$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s=',
    'pbkdf2_sha256$12000$seasalt$',
    'pbkdf2_sha256$12000$seasalt$Ybw8',
    'pbkdf2_md5$12000$seasalt$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s=',
    `pbkdf2_sha256$1$seasalt$${'A'.repeat(88)}`,
    'pbkdf2:sha256:1000$salt$69',
    '$pbkdf2-sha256$-1$0ZrzXitFSGltTQnBWOsdAw$Y11AchqV4b0sUisdZd0Xr97KWoymNE0LNNrnEgY4H9M',
    'scrypt$16383$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw==',
    'scrypt:1024:0:1$salt$64fad1f82c0f12111ba99c64226a59f2231fdf3484cda6d466bfb56caf8e8b7e',
    '$scrypt$ln=0,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
    '$fbscrypt$v=2,n=14,r=8,p=1,ss=Bw==,sk=AAAA$C0sHCg9ek77hsg==$zKVTMvnWVw5BBOZNUdnsag==',
    '$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$c2hvcnQ',
    '$argon2id$v=18$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    `pbkdf2_sha256$1000$${'s'.repeat(1000)}$Ybw8zsFxqja97tY/o6G+Fy1ksY4U/Hw3DRrGED6Up4s=`
  ]
  for (const hash of malformed) {
    t.match(faultOfHash(hash, policy), /^is no hash of a kind that is known here/, hash)
    t.equal(verifyHash(hash, [hash, ''], policy), null)
  }
})

const salt = 'c29tZXNhbHQ'
const digest = 'CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
const weapons: Record<string, string> = {
  'a bcrypt cost of 15': '$2b$15$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
  'a bcrypt cost of 31': 'bcrypt_sha256$$2b$31$iCPTZTFlOyjfQicRSu6P7.Omq.CVBlGWiCjem0NFE8s0Vg4tv.G3m',
  'PBKDF2-SHA256 iterations 3000001': `pbkdf2_sha256$3000001$seasalt$${digest}=`,
  'PBKDF2-SHA1 iterations 4000000': `$pbkdf2$2000000$${salt}$${digest}`,
  'PBKDF2-SHA512 iterations 9999999999': `$pbkdf2-sha512$9999999999$${salt}$${digest}`,
  'scrypt N times r 2097152': `$scrypt$ln=18,r=8,p=1$${salt}$${digest}`,
  'scrypt N times r times p 4194304': `scrypt:32768:8:16$salt$${'ab'.repeat(32)}`,
  'scrypt N times r 5.070602400912918e+30': `$fbscrypt$v=1,n=99,r=8,p=1,ss=Bw==,sk=AAAA$${salt}$${digest}`,
  'argon2 memory in KiB 262145': `$argon2id$v=19$m=262145,t=1,p=1$${salt}$${digest}`,
  'argon2 memory in KiB times passes 1310720': `$argon2i$v=19$m=65536,t=20,p=1$${salt}$${digest}`,
  'argon2 lanes 255': `argon2$argon2d$v=19$m=65536,t=1,p=255$${salt}$${digest}`
}

await t.test('a hash that would cost more than about a second is refused before it is computed', async (t) => {
  let reports = 0
  const hasher = createHasher(policy, () => (reports += 1))
  t.teardown(() => hasher.close())
  // Some of them would take days.
  for (const [excess, hash] of Object.entries(weapons)) {
    t.match(faultOfHash(hash, policy), `would cost too much to verify: ${excess}, where at most `)
    t.equal(await hasher.verify(hash, word), false, excess)
  }
  t.equal(reports, Object.keys(weapons).length, 'and the operator is told')
})

await t.test('what the operator has set as the cost is never too much', async (t) => {
  const hash = `$argon2id$v=19$m=524288,t=3,p=1$${salt}$${digest}`
  t.match(faultOfHash(hash, policy), 'would cost too much')
  t.equal(faultOfHash(hash, { memoryCost: 524_288, timeCost: 3, parallelism: 1 }), undefined)
})

await t.test(
  'a hash from elsewhere is one to be replaced, and may be of a password that was not composed',
  async (t) => {
    const hasher = createHasher(policy)
    t.teardown(() => hasher.close())
    for (const [origin, password, hash] of known) {
      if (!hash.startsWith('$argon2id$')) t.ok(hasher.needsRehash(hash), origin)
      if (origin === 'passlib bcrypt') t.ok(await hasher.verify(hash, password))
    }
    // Of "lètmein" with the accent as a character of its own (Werkzeug).
    const decomposed =
      'pbkdf2:sha256:1000$IMyu9pPoX8tk6kmg$8dd32a4fe4f0ec0fd32a5469f1c9eb5d618a41ca8f5164df79ecfcb35f4275ab'
    t.ok(await hasher.verify(decomposed, word.normalize('NFD')))
    t.notOk(await hasher.verify(decomposed, word), 'as where it comes from')
  }
)
