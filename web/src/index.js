export { ApiError } from './connections.js';
export { BmnProvider, useApi } from './provider.js';
export { followJob } from './follow-job.js';
export { createSocket } from './socket-client.js';
export { useAgent } from './use-agent.js';
export { useBrandAssets } from './use-brand-assets.js';
export { useGenerate } from './use-generate.js';
export { useGenerationProgress } from './use-generation-progress.js';
export { usePictures } from './use-pictures.js';
export { useReconnectionRecovery } from './use-reconnection-recovery.js';
export { useCredits, useEstimate, useJob, useJobs, useKit } from './use-records.js';
export { useSocket } from './use-socket.js';

/** @typedef {import('./job-state.js').JobState} JobState */
/** @typedef {import('./job-state.js').Asset} Asset */
/** @typedef {import('./job-state.js').Picture} Picture */
/** @typedef {import('./use-agent.js').Turn} Turn */
/** @typedef {import('./use-brand-assets.js').BrandAsset} BrandAsset */
/** @typedef {import('./use-reconnection-recovery.js').JobStatus} JobStatus */
