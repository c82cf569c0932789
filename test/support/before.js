import { compile } from './compile.js'

await compile()
await import('../../.tap/compiled/test/support/start-databases.js')
