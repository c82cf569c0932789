import t from 'tap'
import { runDocument } from '../support/document.ts'
import { complete } from '../support/documents.ts'
import { startMailServer } from '../support/mail-server.ts'
import { createDatabase } from '../support/service.ts'

for (const page of complete) {
  await t.test(`the commands of docs/${page} do what it says`, async (t) => {
    const mail = await startMailServer(t)
    await runDocument(t, `docs/${page}`, {
      replacements: [
        ['postgres://gatehouse:PASSWORD@127.0.0.1/gatehouse', await createDatabase(t)],
        ['smtps://USER:PASSWORD@mail.example.com', mail.env.SMTP_URL]
      ]
    })
  })
}
