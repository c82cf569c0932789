import js from '@eslint/js'
import { defineConfig, globalIgnores } from 'eslint/config'
import tseslint from 'typescript-eslint'

/**
 * Imports point one way: assembly (app.ts, server.ts, cli/) → routes → plugins → src.
 * @param {string[]} files
 * @param {string[]} others
 */
const mayNotImport = (files, others) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: others.map((name) => ({
          regex: `^(\\.\\./)+${name}`,
          message: 'Imports point one way: assembly → routes → plugins → src.'
        }))
      }
    ]
  }
})

/**
 * The floors of src, the lowest first. A floor imports from those below it; a file of the lowest (src/*.ts, src/config/) from
 * its own floor alone. Mechanisms may name the others that this table gives them.
 * @type {Record<string, string[]>}
 */
const mechanisms = {
  passwords: [],
  keys: [],
  tokens: ['keys'],
  revocation: ['tokens'],
  sessions: ['tokens'],
  audit: [],
  jobs: [],
  throttling: ['passwords', 'tokens'],
  mail: ['jobs', 'throttling', 'tokens'],
  'email-links': ['jobs', 'mail', 'throttling'],
  factors: ['email-links', 'passwords', 'revocation', 'throttling', 'tokens'],
  users: ['email-links']
}

const floors = {
  config: '(config/|(errors|roles|scopes|ids|names|origin|language|oauth-errors|package-folder)\\.ts$)',
  database: 'database/',
  repositories: 'repositories/',
  mechanisms: `(${Object.keys(mechanisms).join('|')})/`,
  operations: '(operations/|mechanisms\\.ts$)',
  services: '(services|bootstrap)\\.ts$'
}

/**
 * @param {string[]} files
 * @param {string[]} above regular expressions of what lies above, below src/
 */
const mayNotClimb = (files, above) => ({
  files,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\.\\./)+(plugins/|routes/|${assembly.join('|')})`,
            message: 'The domain imports from src alone.'
          },
          ...above.map((name) => ({
            regex: `^\\.{1,2}/(\\.\\./)*${name}`,
            message: 'A floor of src imports from those below it: see docs/architecture.md.'
          }))
        ]
      }
    ]
  }
})

const assembly = ['app\\.ts', 'server\\.ts', 'cli/']

export default defineConfig(
  globalIgnores([
    'migrations/',
    '.tap/',
    '**/dist/',
    'clients/*/src/generated/',
    'data/',
    'routes/*/assets/',
    // It imports what is generated beside a copy of it.
    'scripts/generators/typescript/openapi-generator/',
    'scripts/validators/',
    // Its packages are its own, and not installed for that.
    'website/'
  ]),
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: {
          allowDefaultProject: ['eslint.config.js', 'test/support/*.js', 'scripts/*.js', 'examples/*/*.js']
        },
        tsconfigRootDir: import.meta.dirname
      }
    },
    rules: {
      // Fastify's plugins are asynchronous by contract, whether they wait for something or not.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }]
    }
  },
  {
    // They have a tsconfig.json of their own, and dependencies that are not installed for that.
    files: ['clients/**/*.ts', 'examples/**/*.ts'],
    ignores: ['examples/browser/**'],
    languageOptions: { parserOptions: { projectService: false, project: './tsconfig.json' } }
  },
  mayNotClimb(
    ['src/*.ts', 'src/config/**/*.ts'],
    [floors.database, floors.repositories, floors.mechanisms, floors.operations, floors.services]
  ),
  mayNotClimb(['src/database/**/*.ts'], [floors.repositories, floors.mechanisms, floors.operations, floors.services]),
  mayNotClimb(['src/repositories/**/*.ts'], [floors.mechanisms, floors.operations, floors.services]),
  ...Object.entries(mechanisms).map(([name, others]) =>
    mayNotClimb(
      [`src/${name}/**/*.ts`],
      [
        ...Object.keys(mechanisms)
          .filter((other) => other !== name && !others.includes(other))
          .map((other) => `${other}/`),
        floors.operations.replace('|mechanisms\\.ts$', ''),
        floors.services
      ]
    )
  ),
  mayNotClimb(['src/operations/**/*.ts'], [floors.services]),
  mayNotClimb(['src/mechanisms.ts'], [floors.services, 'operations/']),
  mayNotClimb(['src/services.ts', 'src/bootstrap.ts'], []),
  mayNotImport(['plugins/**/*.ts'], ['routes/', ...assembly]),
  mayNotImport(['routes/**/*.ts'], assembly),
  {
    files: ['routes/**/*.ts', 'plugins/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@fastify/type-provider-typebox',
              allowTypeImports: true,
              message: 'Its values bring a compiler that is not used: take Type from @sinclair/typebox.'
            }
          ]
        }
      ]
    }
  },
  {
    files: ['src/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            { group: ['fastify', 'fastify-*', '@fastify/*'], message: 'The domain has never heard of Fastify.' }
          ]
        }
      ]
    }
  },
  { files: ['test/**/*.ts', 'bench/**/*.ts'], rules: { '@typescript-eslint/no-non-null-assertion': 'off' } }
)
