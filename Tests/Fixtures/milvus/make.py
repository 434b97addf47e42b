"""Writes messages with pymilvus's classes, for MilvusMessageTests.

    pip install pymilvus && python Tests/Fixtures/milvus/make.py
"""

import struct
from pathlib import Path

from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

folder = Path(__file__).parent


def write(name, message):
    (folder / f"{name}.bin").write_bytes(message.SerializeToString(deterministic=True))


def scalars(name, kind, **data):
    return schema_pb2.FieldData(
        type=kind, field_name=name, scalars=schema_pb2.ScalarField(**data)
    )


Type = schema_pb2.DataType
pairs = lambda **items: [common_pb2.KeyValuePair(key=k, value=v) for k, v in items.items()]

write(
    "upsert",
    milvus_pb2.UpsertRequest(
        db_name="shop",
        collection_name="images",
        num_rows=2,
        fields_data=[
            scalars("id", Type.VarChar, string_data=schema_pb2.StringArray(data=["0a", "0b"])),
            schema_pb2.FieldData(
                type=Type.FloatVector,
                field_name="feature",
                vectors=schema_pb2.VectorField(
                    dim=2, float_vector=schema_pb2.FloatArray(data=[1, 0.5, -2, 0.25])
                ),
            ),
            scalars(
                "fields",
                Type.JSON,
                json_data=schema_pb2.JSONArray(
                    data=[b'{"is":[]}', '{"is":["é"]}'.encode()]
                ),
            ),
            scalars("version", Type.Int64, long_data=schema_pb2.LongArray(data=[1, -5])),
        ],
    ),
)
group = common_pb2.PlaceholderGroup(
    placeholders=[
        common_pb2.PlaceholderValue(
            tag="$0",
            type=common_pb2.PlaceholderType.FloatVector,
            values=[struct.pack("<2f", 1, 0.5)],
        )
    ]
)
write(
    "search",
    milvus_pb2.SearchRequest(
        db_name="shop",
        collection_name="images",
        dsl='fields["n_year"] >= 2020.0',
        dsl_type=common_pb2.DslType.BoolExprV1,
        placeholder_group=group.SerializeToString(),
        nq=1,
        output_fields=["place"],
        consistency_level=common_pb2.ConsistencyLevel.Bounded,
        search_params=pairs(anns_field="feature", topk="10", params='{"ef":64}'),
    ),
)
schema = schema_pb2.CollectionSchema(
    name="images",
    description="albef",
    fields=[
        schema_pb2.FieldSchema(
            name="id",
            is_primary_key=True,
            data_type=Type.VarChar,
            type_params=pairs(max_length="32"),
        )
    ],
)
write(
    "create",
    milvus_pb2.CreateCollectionRequest(
        collection_name="images",
        shards_num=2,
        consistency_level=common_pb2.ConsistencyLevel.Bounded,
        schema=schema.SerializeToString(),
    ),
)
write(
    "query",
    milvus_pb2.QueryRequest(
        collection_name="images",
        expr='id >= "0"',
        output_fields=["id", "version"],
        query_params=pairs(limit="5"),
    ),
)
write(
    "search-answer",
    milvus_pb2.SearchResults(
        collection_name="images",
        results=schema_pb2.SearchResultData(
            num_queries=2,
            top_k=2,
            scores=[0.9, 0.8, 0.7],
            ids=schema_pb2.IDs(str_id=schema_pb2.StringArray(data=["0a", "0b", "0c"])),
            topks=[2, 1],
            output_fields=["place"],
            fields_data=[
                scalars("place", Type.Int64, long_data=schema_pb2.LongArray(data=[7, 8, -9]))
            ],
        ),
    ),
)
write(
    "mutation-answer",
    milvus_pb2.MutationResult(
        status=common_pb2.Status(
            error_code=common_pb2.ErrorCode.RateLimit,
            code=8,
            reason="rate limit exceeded",
            detail="a field that is not read",
        ),
        err_index=[1, 3],
    ),
)
