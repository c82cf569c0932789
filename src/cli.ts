#!/usr/bin/env node
import { readConfig } from './config.ts'
import { serve } from './server.ts'
await serve(readConfig(process.env))
