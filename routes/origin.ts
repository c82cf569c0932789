export { originOf } from '../plugins/origin.ts'
