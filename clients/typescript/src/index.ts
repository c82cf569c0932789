export type { components, operations, paths } from './generated/openapi.ts'
export { createGatehouse, type Gatehouse, type GatehouseOptions } from './gatehouse.ts'
export {
  createServiceClient,
  createServiceToken,
  type ServiceClient,
  type ServiceCredentials,
  type ServiceToken,
  ServiceTokenError
} from './service-token.ts'
export { memoryStore, type TokenStore, type Tokens } from './token-store.ts'
