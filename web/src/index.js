export { ApiError } from './connections.js';
export { BmnProvider, useApi } from './provider.js';
export { createSocket } from './socket-client.js';
export { useBrandAssets } from './use-brand-assets.js';
export { useGenerationProgress } from './use-generation-progress.js';
export { useReconnectionRecovery } from './use-reconnection-recovery.js';
export { useSocket } from './use-socket.js';

/** @typedef {import('./job-state.js').JobState} JobState */
/** @typedef {import('./job-state.js').Asset} Asset */
/** @typedef {import('./use-brand-assets.js').BrandAsset} BrandAsset */
/** @typedef {import('./use-reconnection-recovery.js').JobStatus} JobStatus */
