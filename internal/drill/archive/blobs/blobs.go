// Package blobs keeps the documents of an archive as blobs of one container.
//
// The package may not know what the documents contain. The version of azblob is one
// whose API version the storage emulator of the tests knows.
//
// Source: https://learn.microsoft.com/rest/api/storageservices/put-blob
package blobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/streaming"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"azbackupflow/internal/drill/archive"
)

// maxSize limits a document, in bytes. Evidence has some kilobytes.
const maxSize = 4 << 20

// Config configures a Store. Both fields are required.
type Config struct {
	// Service returns the client of the storage account; see ClientOptions. It is
	// called at the first use, so that a program without drills has no client.
	Service func() (*service.Client, error)
	// Container is the name of the container.
	Container string
}

// Store keeps objects as block blobs. It is safe for concurrent use.
type Store struct {
	client func() (*container.Client, error)
}

// ClientOptions returns the options of the client that Config.Service returns. With
// them, an unavailable storage account is reported within seconds. The client repeats
// requests; a repeated Create can meet its own first attempt, and then returns
// archive.ErrExists.
func ClientOptions() *service.ClientOptions {
	return &service.ClientOptions{ClientOptions: azcore.ClientOptions{Retry: policy.RetryOptions{
		MaxRetries: 2, TryTimeout: 10 * time.Second, RetryDelay: 200 * time.Millisecond, MaxRetryDelay: time.Second,
	}}}
}

// New returns a Store. It makes no call.
func New(c Config) (*Store, error) {
	if c.Service == nil || c.Container == "" {
		return nil, errors.New("blobs: Config.Service and Container are required")
	}
	return &Store{client: sync.OnceValues(func() (*container.Client, error) {
		account, err := c.Service()
		if err != nil {
			return nil, err
		}
		return account.NewContainerClient(c.Container), nil
	})}, nil
}

// Exists reports whether the container exists. Without it, the next Create makes it.
func (s *Store) Exists(ctx context.Context) (bool, error) {
	client, err := s.client()
	if err != nil {
		return false, err
	}
	_, err = client.GetProperties(ctx, nil)
	if bloberror.HasCode(err, bloberror.ContainerNotFound) {
		return false, nil
	}
	return err == nil, failed("read container", err)
}

// Create uploads a new blob in one request, so that it exists completely or not at
// all. It creates the container if it does not exist.
func (s *Store) Create(ctx context.Context, o archive.Object) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	upload := func() error {
		_, err := client.NewBlockBlobClient(o.Name).Upload(ctx, streaming.NopCloser(bytes.NewReader(o.Content)), &blockblob.UploadOptions{
			HTTPHeaders:      &blob.HTTPHeaders{BlobContentType: to.Ptr("application/json")},
			Metadata:         encoded(o.Metadata),
			AccessConditions: &blob.AccessConditions{ModifiedAccessConditions: &blob.ModifiedAccessConditions{IfNoneMatch: to.Ptr(azcore.ETagAny)}},
		})
		return err
	}
	err = upload()
	if bloberror.HasCode(err, bloberror.ContainerNotFound) {
		_, err = client.Create(ctx, nil)
		if err == nil || bloberror.HasCode(err, bloberror.ContainerAlreadyExists) {
			err = upload()
		}
	}
	if bloberror.HasCode(err, bloberror.BlobAlreadyExists, bloberror.ConditionNotMet, bloberror.BlobImmutableDueToPolicy) {
		return fmt.Errorf("create blob %s: %w", o.Name, archive.ErrExists)
	}
	return failed("create blob "+o.Name, err)
}

// Read downloads a blob.
func (s *Store) Read(ctx context.Context, name string) (archive.Object, error) {
	client, err := s.client()
	if err != nil {
		return archive.Object{}, err
	}
	action := "read blob " + name
	answer, err := client.NewBlobClient(name).DownloadStream(ctx, nil)
	switch {
	case missing(err):
		return archive.Object{}, fmt.Errorf("%s: %w", action, archive.ErrNotFound)
	case err != nil:
		return archive.Object{}, failed(action, err)
	}
	body := answer.NewRetryReader(ctx, nil)
	content, err := io.ReadAll(io.LimitReader(body, maxSize+1))
	if err := errors.Join(err, body.Close()); err != nil {
		return archive.Object{}, failed(action, err)
	}
	if len(content) > maxSize {
		// It is not one of ours. The rest of it does not change that.
		content = content[:maxSize]
	}
	return archive.Object{Name: name, Content: content, Metadata: decoded(answer.Metadata)}, nil
}

// Delete deletes a blob.
func (s *Store) Delete(ctx context.Context, name string) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	action := "delete blob " + name
	_, err = client.NewBlobClient(name).Delete(ctx, &blob.DeleteOptions{DeleteSnapshots: to.Ptr(blob.DeleteSnapshotsOptionTypeInclude)})
	switch {
	case missing(err):
		return fmt.Errorf("%s: %w", action, archive.ErrNotFound)
	case bloberror.HasCode(err, bloberror.BlobImmutableDueToPolicy, bloberror.ImmutabilityPolicyDeleteOnLockedPolicy):
		return fmt.Errorf("%s: %w", action, archive.ErrHeld)
	}
	return failed(action, err)
}

// List lists blobs with their metadata, page by page.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[archive.Object, error] {
	return func(yield func(archive.Object, error) bool) {
		client, err := s.client()
		if err != nil {
			yield(archive.Object{}, err)
			return
		}
		pages := client.NewListBlobsFlatPager(&container.ListBlobsFlatOptions{Prefix: &prefix, Include: container.ListBlobsInclude{Metadata: true}})
		for pages.More() {
			page, err := pages.NextPage(ctx)
			if bloberror.HasCode(err, bloberror.ContainerNotFound) {
				return
			}
			if err != nil {
				yield(archive.Object{}, failed("list blobs", err))
				return
			}
			for _, b := range page.Segment.BlobItems {
				if !yield(archive.Object{Name: *b.Name, Metadata: decoded(b.Metadata)}, nil) {
					return
				}
			}
		}
	}
}

// Folders lists the virtual folders of a prefix.
func (s *Store) Folders(ctx context.Context, prefix string) ([]string, error) {
	client, err := s.client()
	if err != nil {
		return nil, err
	}
	var folders []string
	pages := client.NewListBlobsHierarchyPager("/", &container.ListBlobsHierarchyOptions{Prefix: &prefix})
	for pages.More() {
		page, err := pages.NextPage(ctx)
		if bloberror.HasCode(err, bloberror.ContainerNotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, failed("list folders of blobs", err)
		}
		for _, p := range page.Segment.BlobPrefixes {
			folders = append(folders, strings.TrimSuffix(strings.TrimPrefix(*p.Name, prefix), "/"))
		}
	}
	slices.Sort(folders)
	return slices.Compact(folders), nil
}

// Location returns the URL of a blob.
func (s *Store) Location(name string) string {
	client, err := s.client()
	if err != nil {
		return name
	}
	// The URL of a client may carry a shared access signature.
	address, err := url.Parse(client.URL())
	if err != nil {
		return name
	}
	address.RawQuery = ""
	return address.JoinPath(name).String()
}

// encoded returns metadata as the header fields of a request can carry it.
func encoded(metadata map[string]string) map[string]*string {
	all := map[string]*string{}
	for name, value := range metadata {
		all[name] = to.Ptr(url.PathEscape(value))
	}
	return all
}

// decoded reverses encoded. The names of metadata ignore case.
func decoded(metadata map[string]*string) map[string]string {
	all := map[string]string{}
	for name, value := range metadata {
		if value == nil {
			continue
		}
		if text, err := url.PathUnescape(*value); err == nil {
			all[strings.ToLower(name)] = text
		}
	}
	return all
}
