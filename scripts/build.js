import { chmodSync } from 'node:fs'
import { resolve } from 'node:path'
import { bundle, root } from './bundle.js'

// What `npm run build` makes, for production and for the package.
await bundle(resolve(root, 'dist'))
chmodSync(resolve(root, 'dist/cli/gatehouse.js'), 0o755)
