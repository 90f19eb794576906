// apps/web/src/hooks/use-generation-progress.js

import { useState, useEffect, useCallback } from 'react';
import { useSocket } from './use-socket.js';

/**
 * @typedef {Object} GenerationProgress
 * @property {string} status - 'idle' | 'queued' | 'composing' | 'generating' | 'uploading' | 'saving' | 'complete' | 'failed'
 * @property {number} progress - 0-100
 * @property {string} message - Human-readable status message
 * @property {Object|null} result - Final result (on completion)
 * @property {string|null} error - Error message (on failure)
 * @property {number} retriesLeft - Remaining retry attempts
 */

/**
 * React hook for tracking AI generation job progress via Socket.io.
 *
 * @param {string} brandId - Brand to watch
 * @param {string|null} jobId - Specific job to track (null = no active job)
 * @returns {GenerationProgress & { reset: Function }}
 */
export function useGenerationProgress(brandId, jobId) {
  const { socket, connected } = useSocket('/wizard', { enabled: !!brandId });

  const [state, setState] = useState({
    status: 'idle',
    progress: 0,
    message: '',
    result: null,
    error: null,
    retriesLeft: 0,
  });

  // Join brand and job rooms
  useEffect(() => {
    if (!socket || !connected) return;

    if (brandId) {
      socket.emit('brand:join', { brandId }, (response) => {
        if (response?.error) console.error('Failed to join brand room:', response.error);
      });
    }

    if (jobId) {
      socket.emit('job:join', { jobId }, (response) => {
        if (response?.error) console.error('Failed to join job room:', response.error);
      });

      // Request current status in case we missed events (reconnection)
      socket.emit('job:status', { jobId, queueName: guessQueueName(jobId) }, (response) => {
        if (response && !response.error) {
          setState((prev) => ({
            ...prev,
            status: response.state === 'completed' ? 'complete' : response.state,
            progress: typeof response.progress === 'number' ? response.progress : prev.progress,
            result: response.data || prev.result,
          }));
        }
      });
    }

    return () => {
      if (brandId) socket.emit('brand:leave', { brandId });
      if (jobId) socket.emit('job:leave', { jobId });
    };
  }, [socket, connected, brandId, jobId]);

  // Listen for events
  useEffect(() => {
    if (!socket) return;

    const onProgress = (data) => {
      if (jobId && data.jobId !== jobId) return;
      setState({
        status: data.status,
        progress: data.progress,
        message: data.message,
        result: null,
        error: null,
        retriesLeft: 0,
      });
    };

    const onComplete = (data) => {
      if (jobId && data.jobId !== jobId) return;
      setState({
        status: 'complete',
        progress: 100,
        message: data.message,
        result: data.result,
        error: null,
        retriesLeft: 0,
      });
    };

    const onFailed = (data) => {
      if (jobId && data.jobId !== jobId) return;
      setState({
        status: 'failed',
        progress: data.progress || 0,
        message: '',
        result: null,
        error: data.error,
        retriesLeft: data.retriesLeft,
      });
    };

    socket.on('job:progress', onProgress);
    socket.on('job:complete', onComplete);
    socket.on('job:failed', onFailed);

    return () => {
      socket.off('job:progress', onProgress);
      socket.off('job:complete', onComplete);
      socket.off('job:failed', onFailed);
    };
  }, [socket, jobId]);

  const reset = useCallback(() => {
    setState({ status: 'idle', progress: 0, message: '', result: null, error: null, retriesLeft: 0 });
  }, []);

  return { ...state, reset };
}

function guessQueueName(jobId) {
  if (!jobId) return 'brand-wizard';
  const prefix = jobId.split('-')[0];
  const map = {
    brand: 'brand-wizard',
    logo: 'logo-generation',
    mockup: 'mockup-generation',
    bundle: 'bundle-composition',
    video: 'video-generation',
  };
  return map[prefix] || 'brand-wizard';
}
