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

const assembly = ['app\\.ts', 'server\\.ts', 'cli/']

export default defineConfig(
  globalIgnores([
    'migrations/',
    '.tap/',
    '**/dist/',
    'clients/*/src/generated/',
    'data/',
    'routes/pages/assets/',
    // It imports what is generated beside a copy of it.
    'scripts/generators/typescript/openapi-generator/',
    'scripts/validators/'
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
      '@typescript-eslint/require-await': 'off'
    }
  },
  {
    // They have a tsconfig.json of their own, and dependencies that are not installed for that.
    files: ['clients/**/*.ts', 'examples/**/*.ts'],
    languageOptions: { parserOptions: { projectService: false, project: './tsconfig.json' } }
  },
  mayNotImport(['src/**/*.ts'], ['plugins/', 'routes/', ...assembly]),
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
