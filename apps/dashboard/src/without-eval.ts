import { z } from 'zod';

// The page may not make code out of text, and zod need not try.
z.config({ jitless: true });
