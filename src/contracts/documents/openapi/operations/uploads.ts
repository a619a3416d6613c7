import { z } from 'zod';
import { AttachmentSchema } from '../../../events/events.ts';
import { ReadUploadQuery, UploadPath } from '../../../http/requests.ts';
import { ConversationId, UserId } from '../../../ids.ts';
import { BINARY_TYPES, TEXT_TYPES } from '../../../uploads/mediaTypes.ts';
import type { Operation } from '../operation.ts';

const PATH = '/api/chat/uploads';

/** The fields of the form, in any order. */
const UploadForm = z.strictObject({
  conversationId: ConversationId,
  userId: UserId,
  file: z.file().meta({ description: 'Its type is found by its first bytes, not by its name.' }),
});

const UploadedFile = z.object({ attachment: AttachmentSchema }).meta({ id: 'UploadedFile' });

const bytes = {
  mediaType: [...BINARY_TYPES, ...TEXT_TYPES],
  schema: z.string().meta({ id: 'FileBytes', description: 'The bytes, as they are.', format: 'binary' }),
};

export const uploadOperations: readonly Operation[] = [
  {
    operationId: 'uploadFile',
    method: 'post',
    path: PATH,
    tag: 'uploads',
    summary: 'Upload a file for a message',
    headers: ['X-User-Id'],
    body: { mediaType: 'multipart/form-data', schema: UploadForm },
    answers: {
      201: {
        description: 'Stored: name it in `attachments` of a message.',
        schema: UploadedFile,
        headers: ['Location'],
      },
    },
    errors: [
      'invalid_request',
      'not_found',
      'request_timeout',
      'payload_too_large',
      'unsupported_media_type',
      'log_unavailable',
      'overloaded',
    ],
  },
  {
    operationId: 'readUpload',
    method: 'get',
    path: `${PATH}/{uploadId}`,
    tag: 'uploads',
    summary: 'The bytes of a file',
    description: 'Always as an attachment, never shown by the browser by itself. Takes `Range`.',
    params: UploadPath,
    query: ReadUploadQuery,
    headers: ['X-User-Id', 'Range'],
    conditional: true,
    answers: {
      200: { description: 'All of it.', ...bytes, headers: ['Content-Disposition', 'Accept-Ranges'] },
      206: {
        description: 'The range.',
        ...bytes,
        headers: ['Content-Disposition', 'Accept-Ranges', 'Content-Range'],
      },
    },
    errors: ['invalid_request', 'not_found', 'range_not_satisfiable', 'log_unavailable', 'overloaded'],
  },
];
