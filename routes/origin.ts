export { originOf } from '../plugins/http/origin.ts'
